"""The part of config that every app may import: errors, fields, policy, idempotency, paging, jobs."""

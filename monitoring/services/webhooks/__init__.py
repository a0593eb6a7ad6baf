"""Telling the outside what happened: events become messages, messages are sent, signed, and tried again."""

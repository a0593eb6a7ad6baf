"""Runs all of Entrepot in the foreground: servers, web, worker and timetable live and end together (`bin/start`)."""

"""The command line: parse, call, print, exit code. What a command does is in `tigertag.app`."""

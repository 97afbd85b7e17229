"""The commands of `musegen`: every one works on files of the user."""

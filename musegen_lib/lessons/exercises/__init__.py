"""The exercises of the lessons, a module a lesson: what is wrong with an answer, and three hints."""

"""What a run tells people: one message of what fails its policy, sent by apprise or handed to a command.

It may import the report's words, the analysis, the documents and what lies below. No message fails a run.
"""

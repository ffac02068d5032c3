"""The files that we write, each a typed record with one reader and one writer.

They may import the store's files, matrix and errors; what a document means is for the rooms above.
"""

"""Imports, called intake since `import` is a word of the language: columns, rows, and what they would change."""

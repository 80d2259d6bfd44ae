"""What a person sees in a browser: plain pages that need neither scripts nor other files."""

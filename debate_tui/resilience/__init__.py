"""What makes streams heal; wraps any source and knows no provider."""

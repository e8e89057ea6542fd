"""What paygen costs, measured against what people use instead; see README.md."""

"""What a scheduled run costs, against what people use instead."""

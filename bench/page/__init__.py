"""What the page costs: alone, beside a Streamlit page, and while a scheduled run works."""

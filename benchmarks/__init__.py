"""What is measured, each by one command; nothing here is installed."""

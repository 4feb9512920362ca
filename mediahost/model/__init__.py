"""What things are: plain values, no input or output."""

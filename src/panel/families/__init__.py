"""What a parent, a carer or a young person sees and does."""

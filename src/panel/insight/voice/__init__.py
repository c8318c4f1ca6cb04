"""What families say of how they were treated, and what commissioners tell them was done."""

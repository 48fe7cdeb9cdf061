"""What a turn is answered from, the prompt made of it, and how knowledge is put in."""

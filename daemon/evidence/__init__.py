"""What the evidence journal proves to somebody outside: roots, stamps, notes, exports, and how to check them."""

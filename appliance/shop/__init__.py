"""What is sold once: orders, prices, codes, discounts, merchandise."""

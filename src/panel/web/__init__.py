"""Layout, components, rendering and form reading: everything a page needs, and no domain words."""

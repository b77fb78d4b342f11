"""What each side of the comparison with other libraries does, in a process of its own.

python -m sides SIDE TASK NAME OPTIONS

SIDE is arena, sb3, sbx, or torch where it is PyTorch alone. TASK is a function of `sides.ours` or `sides.theirs`, NAME
what it is done to, OPTIONS its other arguments in JSON. The last line printed is the result, in JSON.
"""

"""What turns are answered from: one provider a file, all of them named in `registry.py`. See docs/context.md."""

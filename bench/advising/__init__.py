"""Ten installations, each with one fault put in: does the advisor name it first, and is the gain what it predicts?"""

"""An adversary that makes harder images of real ones, and what tells whether it plays fair."""

//! Part of LakePulse.

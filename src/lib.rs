pub mod clock;
pub mod sandbox;
pub mod spec;

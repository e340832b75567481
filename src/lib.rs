pub mod aws;
pub mod clock;
pub mod kinds;
pub mod model;
pub mod plan;
pub mod run;
pub mod sandbox;
pub mod spec;

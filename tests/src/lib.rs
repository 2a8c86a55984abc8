//! What must hold of the whole house: the proof of the core.


pub mod prove;

//! What others take for granted of the commands.

mod deploy;

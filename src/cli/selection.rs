//! Which part of a structure file to read: the same flags for every command that takes one.

use crate::structure::ReadOptions;

/// Flags that select a part of a structure file.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Selection {
    /// Chains to read, by the author's identifiers (`_` for a blank one) [default: all]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    pub chains: Option<Vec<String>>,
    /// Number of the model to read, as the file has it [default: the first]
    #[arg(long, value_name = "N")]
    pub model_number: Option<usize>,
    /// Alternative location to read where a residue has it [default: highest occupancy]
    #[arg(long, value_name = "A")]
    pub altloc: Option<char>,
}

impl From<Selection> for ReadOptions {
    fn from(selection: Selection) -> Self {
        let Selection {
            chains,
            model_number,
            altloc,
        } = selection;
        ReadOptions {
            model_number,
            chains,
            altloc,
            ..ReadOptions::default()
        }
    }
}

//! `mean`: one group a number of a system.

use super::{Backward, Forward, Launch, Shader, named};
use crate::Result;
use crate::ops::mean::Mean;

impl Shader for Mean {
    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()> {
        let bound = [named(["x"], call.inputs), named(["y"], call.outputs)].concat();
        let row = self.components * self.channels;
        let groups = launch.batch.systems * row;
        launch.run("forward", &[("row", row.into())], &bound, groups);
        Ok(())
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let bound = [
            named(["d_y"], call.d_outputs),
            named(["d_x"], call.d_inputs),
        ]
        .concat();
        let row = self.components * self.channels;
        let groups = launch.batch.systems * row;
        launch.run("backward", &[("row", row.into())], &bound, groups);
        Ok(())
    }
}

//! `view`: one lane a number.

use super::{Backward, Forward, LANES, Launch, Shader, named};
use crate::Result;
use crate::ops::view::View;

impl Shader for View {
    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()> {
        let bound = [named(["x"], call.inputs), named(["y"], call.outputs)].concat();
        let count = launch.tokens() * self.to.row();
        let sizes = [("count", count.into())];
        launch.run("forward", &sizes, &bound, count.div_ceil(LANES));
        Ok(())
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let bound = [
            named(["d_y"], call.d_outputs),
            named(["d_x"], call.d_inputs),
        ]
        .concat();
        let count = launch.tokens() * self.to.row();
        let sizes = [("count", count.into())];
        launch.run("backward", &sizes, &bound, count.div_ceil(LANES));
        Ok(())
    }
}

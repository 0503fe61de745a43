//! Paints an SVG as PNG, with the bundled font alone.

use std::sync::Arc;

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree, fontdb::Database},
};

use crate::font::{BOLD, FAMILY, REGULAR};

/// Pixels of the PNG for a pixel of the SVG: 1,200 becomes 1,920, a projector's full width.
const ENLARGED: f32 = 1.6;

/// The tree of an SVG, with its texts laid out in the bundled font.
pub(crate) fn tree(svg: &str) -> Result<Tree, String> {
    let mut fonts = Database::new();
    fonts.load_font_data(REGULAR.to_vec());
    fonts.load_font_data(BOLD.to_vec());
    let options = Options {
        font_family: FAMILY.to_owned(),
        fontdb: Arc::new(fonts),
        ..Options::default()
    };
    Tree::from_str(svg, &options).map_err(|error| error.to_string())
}

/// The PNG of an SVG.
pub(crate) fn paint(svg: &str) -> Result<Vec<u8>, String> {
    let tree = tree(svg)?;
    let size = tree
        .size()
        .to_int_size()
        .scale_by(ENLARGED)
        .ok_or("the figure has no size")?;
    let mut pixels =
        Pixmap::new(size.width(), size.height()).ok_or("the figure is too large to paint")?;
    resvg::render(
        &tree,
        Transform::from_scale(ENLARGED, ENLARGED),
        &mut pixels.as_mut(),
    );
    pixels.encode_png().map_err(|error| error.to_string())
}

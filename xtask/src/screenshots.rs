//! Screenshots of the sample site for the README: its home page, a list and a plugin's page, in light and dark.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use shelflife_testkit::browser::{Browser, Look};
use shelflife_testkit::failure::{Failure, at};
use shelflife_testkit::sample::Sample;

/// The name and the path of each page.
const PAGES: [(&str, &str); 3] =
    [("home", "/"), ("browse", "/search/"), ("plugin", "/plugins/DisplayLayerProgress/")];
/// How many days of history the sample has.
const DAYS: u32 = 60;
/// The size of a screenshot, in pixels.
const SIZE: (u32, u32) = (1200, 860);

/// Builds the sample with this binary, and writes a screenshot of each page in each color scheme to a folder.
///
/// # Errors
/// Chromium is missing, a build fails, or a file can't be written.
pub fn take(binary: &Path, folder: &Path) -> Result<(), Failure> {
    let look = Look { width: SIZE.0, height: SIZE.1, dark: false };
    let browser = Browser::open(look).map_err(Failure::new)?;
    let place =
        tempfile::tempdir().map_err(|why| Failure::new(format!("can't create a temporary folder: {why}")))?;
    let sample = Sample::write(place.path(), "")?;
    sample.build(binary, DAYS)?;
    fs::create_dir_all(folder).map_err(at(folder))?;
    for (scheme, look) in [("light", look), ("dark", look.in_the_dark())] {
        browser.look(look);
        for (name, path) in PAGES {
            browser.go(&sample.host().url(path));
            browser.run("return Promise.all([...document.images].map(it => it.decode().catch(() => {})))");
            let path = folder.join(format!("{name}-{scheme}.png"));
            let picture = small(&browser.screenshot()).map_err(|why| Failure::new(why.to_string()))?;
            fs::write(&path, picture).map_err(at(&path))?;
        }
    }
    Ok(())
}

/// Reduces a picture to 256 colors.
fn small(picture: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(picture));
    decoder.set_transformations(png::Transformations::STRIP_16 | png::Transformations::EXPAND);
    let mut reader = decoder.read_info()?;
    let mut bytes = vec![0; reader.output_buffer_size().ok_or("the screenshot is too large")?];
    let frame = reader.next_frame(&mut bytes)?;
    let pixels = bytes[..frame.buffer_size()].chunks_exact(frame.color_type.samples());
    let pixels: Vec<[u8; 3]> = pixels.map(|it| [it[0], it[1], it[2]]).collect();
    let palette = palette(&pixels);
    let mut nearest = HashMap::new();
    let index = |color: &[u8; 3]| {
        *nearest.entry(*color).or_insert_with(|| {
            let distance = |(_, other): &(usize, &[u8; 3])| -> u32 {
                color.iter().zip(*other).map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2)).sum()
            };
            let found = palette.iter().enumerate().min_by_key(distance).map_or(0, |(index, _)| index);
            u8::try_from(found).unwrap_or(u8::MAX)
        })
    };
    let indices: Vec<u8> = pixels.iter().map(index).collect();
    let mut written = Vec::new();
    let mut encoder = png::Encoder::new(&mut written, frame.width, frame.height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.concat());
    encoder.set_compression(png::Compression::High);
    // PNG's filters predict a pixel from its neighbors, but neighboring palette indices are unrelated.
    encoder.set_filter(png::Filter::NoFilter);
    encoder.write_header()?.write_image_data(&indices)?;
    Ok(written)
}

/// Returns the colors of the palette: the most frequent of each group of similar colors, so that surfaces keep their
/// exact color.
fn palette(pixels: &[[u8; 3]]) -> Vec<[u8; 3]> {
    let mut counts: HashMap<[u8; 3], usize> = HashMap::new();
    for pixel in pixels {
        *counts.entry(*pixel).or_default() += 1;
    }
    let mut alike: HashMap<[u8; 3], (usize, usize, [u8; 3])> = HashMap::new();
    for (color, count) in counts {
        let group = alike.entry(color.map(|it| it >> 3)).or_insert((0, 0, color));
        group.0 += count;
        if (count, color) > (group.1, group.2) {
            (group.1, group.2) = (count, color);
        }
    }
    let mut groups: Vec<_> = alike.into_values().collect();
    groups.sort_unstable_by(|a, b| b.cmp(a));
    groups.into_iter().take(256).map(|(.., color)| color).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surfaces_keep_their_colour_and_there_are_no_more_than_256() {
        let noise = (0..4096_u32).map(|n| [n.to_le_bytes()[0], n.to_le_bytes()[1], 7]);
        let pixels: Vec<[u8; 3]> = std::iter::repeat_n([1, 2, 3], 9000).chain(noise).collect();
        let palette = palette(&pixels);
        assert_eq!(palette[0], [1, 2, 3]);
        assert!(palette.len() <= 256);
    }
}

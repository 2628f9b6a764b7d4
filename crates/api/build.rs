//! Takes Swagger UI's script and style sheet out of its release archive, if the page is to be served.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "docs-ui")]
    swagger_ui::write(&["swagger-ui-bundle.js", "swagger-ui.css"]);
}

#[cfg(feature = "docs-ui")]
mod swagger_ui {
    use std::io::{Cursor, Read};
    use std::path::PathBuf;

    use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
    use zip::{CompressionMethod, ZipArchive};

    /// Writes each of `names` to `OUT_DIR` as a gzip file. A zip archive holds what gzip wants, the deflated bytes, the
    /// checksum and the size, so nothing is unpacked and packed again.
    pub fn write(names: &[&str]) {
        let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
        let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED)).expect("the archive is whole");
        for name in names {
            let suffix = format!("/dist/{name}");
            let index = archive
                .file_names()
                .position(|path| path.is_ok_and(|path| path.ends_with(&suffix)))
                .expect("the archive has the file");
            let mut entry = archive.by_index_raw(index).expect("the entry is whole");
            assert_eq!(entry.compression(), CompressionMethod::DEFLATE, "{name}");
            let (crc, size) = (entry.crc32(), u32::try_from(entry.size()).expect("it is small"));
            // RFC 1952: magic, deflate, no flags, no time, no extra flags, unknown system.
            let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
            entry.read_to_end(&mut gzip).expect("the archive is in memory");
            gzip.extend_from_slice(&crc.to_le_bytes());
            gzip.extend_from_slice(&size.to_le_bytes());
            std::fs::write(out.join(format!("{name}.gz")), gzip).expect("OUT_DIR can be written to");
        }
    }
}

//! A version's code: fetched once, unpacked by the hash of its content.

use std::fs::{self, File, Permissions};
use std::io::{self, Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Method, Request};
use local_aws_api::{AwsApi, Error};
use sha2::{Digest, Sha256};
use zip::ZipArchive;
use zip::result::ZipError;

/// Bytes of a function's code, unpacked, as AWS allows.
const UNPACKED_BYTES: u64 = 262_144_000;

const EXECUTABLE_OR_NOT: u32 = 0o777;
const FILE_TYPE: u32 = 0o170_000;
const SYMBOLIC_LINK: u32 = 0o120_000;

/// Why there is no code to run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CodeError {
    #[error(transparent)]
    Api(#[from] Error),
    #[error("Code.Location is '{location}', which is not on the control plane at {endpoint}")]
    Elsewhere { location: String, endpoint: String },
    #[error("Code.Location answered {0}")]
    Status(http::StatusCode),
    #[error("the hash of what came from Code.Location is {actual}, and CodeSha256 says {expected}")]
    Hash { actual: String, expected: String },
    #[error("the zip cannot be read: {0}")]
    Zip(#[from] ZipError),
    #[error("the zip has an entry '{0}', which would be written outside of the function's folder")]
    Escape(String),
    #[error("the zip has a symbolic link, '{0}'; put the file itself there")]
    Link(String),
    #[error("unzipped size must be smaller than {UNPACKED_BYTES} bytes")]
    Size,
    #[error("{path}: {cause}")]
    File { path: PathBuf, cause: io::Error },
}

/// The folder that a hash's code is in, or would be.
pub(crate) fn folder(work_directory: &Path, code_sha256: &str) -> PathBuf {
    let hash = BASE64_STANDARD.decode(code_sha256).unwrap_or_else(|_| code_sha256.as_bytes().to_vec());
    work_directory.join(BASE64_URL_SAFE_NO_PAD.encode(hash))
}

/// Fetches the zip and unpacks it into `folder`, which is there afterwards, whole.
pub(crate) async fn install(aws: &AwsApi, location: &str, code_sha256: &str, folder: PathBuf) -> Result<(), CodeError> {
    let zip = fetch(aws, location).await?;
    let actual = BASE64_STANDARD.encode(Sha256::digest(&zip));
    if actual != code_sha256 {
        return Err(CodeError::Hash { actual, expected: code_sha256.to_owned() });
    }
    let unpacking = tokio::task::spawn_blocking(move || install_zip(&zip, &folder));
    unpacking.await.map_err(|error| CodeError::Zip(ZipError::Io(io::Error::other(error))))?
}

async fn fetch(aws: &AwsApi, location: &str) -> Result<Bytes, CodeError> {
    let path = location.strip_prefix(aws.endpoint()).filter(|path| path.starts_with('/'));
    let elsewhere = || CodeError::Elsewhere { location: location.to_owned(), endpoint: aws.endpoint().to_owned() };
    let path = path.ok_or_else(elsewhere)?;
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = path.parse().map_err(|_| elsewhere())?;
    let answer = aws.send("lambda", request).await?;
    if answer.status().is_success() { Ok(answer.into_body()) } else { Err(CodeError::Status(answer.status())) }
}

/// Beside the folder first: who looks for it finds all of it, or nothing.
fn install_zip(zip: &[u8], folder: &Path) -> Result<(), CodeError> {
    let unfinished = folder.with_extension(uuid::Uuid::new_v4().simple().to_string());
    let unpacked = unpack(zip, &unfinished).and_then(|()| match fs::rename(&unfinished, folder) {
        // Somebody else was faster, with the same content.
        Err(_) if folder.is_dir() => Ok(()),
        renamed => renamed.map_err(|cause| CodeError::File { path: folder.to_owned(), cause }),
    });
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(|cause| CodeError::File { path: unfinished, cause })?;
    }
    unpacked
}

fn unpack(zip: &[u8], folder: &Path) -> Result<(), CodeError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        |cause| CodeError::File { path, cause }
    };
    fs::create_dir_all(folder).map_err(at(folder))?;
    let mut archive = ZipArchive::new(Cursor::new(zip))?;
    let mut left = UNPACKED_BYTES;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry.name()?.into_owned();
        let mode = entry.unix_mode();
        // `enclosed_name` refuses an absolute path, and one that leads out by `..`.
        let path = entry.enclosed_name().map(|name| folder.join(name)).ok_or(CodeError::Escape(name.clone()))?;
        if mode.is_some_and(|mode| mode & FILE_TYPE == SYMBOLIC_LINK) {
            return Err(CodeError::Link(name));
        }
        if entry.is_dir() {
            fs::create_dir_all(&path).map_err(at(&path))?;
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        let mut file = File::create(&path).map_err(at(&path))?;
        // What the zip says of sizes may be wrong; what comes out of it is not.
        left -= io::copy(&mut entry.by_ref().take(left), &mut file).map_err(at(&path))?;
        if left == 0 {
            return Err(CodeError::Size);
        }
        if let Some(mode) = mode {
            let permissions = Permissions::from_mode(mode & EXECUTABLE_OR_NOT);
            fs::set_permissions(&path, permissions).map_err(at(&path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn zip(name: &str, mode: u32) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file(name, SimpleFileOptions::default().unix_permissions(mode)).unwrap();
        writer.write_all(b"#!/bin/sh\n").unwrap();
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn files_keep_whether_they_are_executable() {
        let folder = tempfile::tempdir().unwrap();
        for (name, mode) in [("bootstrap", 0o755), ("lib/data", 0o644)] {
            let target = folder.path().join(mode.to_string());
            install_zip(&zip(name, mode), &target).unwrap();
            let file = fs::metadata(target.join(name)).unwrap();
            assert_eq!(file.permissions().mode() & 0o777, mode);
        }
        // Nothing unfinished is left.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn nothing_is_written_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("inner");
        let error = install_zip(&zip("../outside", 0o644), &target).unwrap_err();
        assert!(matches!(error, CodeError::Escape(_)), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn links_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.add_symlink("bootstrap", "/bin/sh", SimpleFileOptions::default()).unwrap();
        let zip = writer.finish().unwrap().into_inner();
        let error = install_zip(&zip, &folder.path().join("inner")).unwrap_err();
        assert!(matches!(error, CodeError::Link(_)), "{error}");
    }

    #[test]
    fn what_is_no_zip_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let error = install_zip(b"not a zip", &folder.path().join("inner")).unwrap_err();
        assert!(matches!(error, CodeError::Zip(_)), "{error}");
    }
}

//! A folder for one test.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// An empty folder of its own for each name, which goes when it is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        // What an earlier run has left that was ended.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("the target folder can be written");
        Self(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Takes from a file or a folder that it may be written. `false` where that keeps nobody from writing: who is root may write
/// everywhere, and on other systems than Unix a folder has no such permission.
pub(crate) fn forbid_writing(path: &Path) -> bool {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(path, permissions).unwrap();
    let is_writable = match path.is_dir() {
        true => fs::write(path.join("probe"), "").is_ok(),
        false => fs::File::options().append(true).open(path).is_ok(),
    };
    if is_writable {
        eprintln!("left out, because this user may write {path:?} although nobody should");
    }
    !is_writable
}

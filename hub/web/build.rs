//! Tells the code whether the bundle of `ReDoc` was fetched (`./dev setup`): too large for git.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=static/vendor");
    println!("cargo::rustc-check-cfg=cfg(redoc)");
    if Path::new("static/vendor/redoc.standalone.js").exists() {
        println!("cargo::rustc-cfg=redoc");
    }
}

//! Where pictures become pixels: only so many bytes of pixels at once, whoever sent them.

use rules::error::Error;
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use vision::Picture;
use vision::image::{self, ImageError, Limits};

/// Bytes that all pictures together may need while they are decoded and looked at.
const ROOM: u64 = 320 * 1024 * 1024;
/// How long a picture waits for room.
const PATIENCE: Duration = Duration::from_secs(10);

/// Shares the room; cheap to clone.
#[derive(Clone, Debug)]
pub struct Darkroom(Arc<DarkroomRoom>);

#[derive(Debug)]
struct DarkroomRoom {
    free: Mutex<u64>,
    freed: Condvar,
}

impl Default for Darkroom {
    fn default() -> Self {
        Self(Arc::new(DarkroomRoom { free: Mutex::new(ROOM), freed: Condvar::new() }))
    }
}

/// A picture, which has its place in the room until it is dropped.
#[derive(Debug)]
pub struct Developed {
    picture: Picture,
    _place: DarkroomPlace,
}

#[cfg(test)]
impl From<Picture> for Developed {
    /// One that was never a file.
    fn from(picture: Picture) -> Self {
        let place = Darkroom::default().place(0).expect("there is room for nothing");
        Self { picture, _place: place }
    }
}

impl Deref for Developed {
    type Target = Picture;
    fn deref(&self) -> &Picture {
        &self.picture
    }
}

impl Darkroom {
    /// The picture in `bytes`. Waits for room, so never call it on the runtime.
    ///
    /// # Errors
    /// `Invalid` when it is no picture or beyond the limits, `Unavailable` when others take all
    /// the room.
    pub fn develop(&self, bytes: &[u8]) -> Result<Developed, Error> {
        let invalid = |why: ImageError| Error::Invalid(why.to_string());
        let limits = Limits { alloc: ROOM, ..Limits::default() };
        let mut place = self.place(image::weigh(bytes, &limits).map_err(invalid)?)?;
        let picture = image::decode(bytes, &limits).map_err(invalid)?;
        place.shrink(picture.rgb.len() as u64);
        Ok(Developed { picture, _place: place })
    }

    fn place(&self, bytes: u64) -> Result<DarkroomPlace, Error> {
        let free = self.0.free.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |free: &mut u64| *free < bytes;
        let waited = self.0.freed.wait_timeout_while(free, PATIENCE, full);
        let (mut free, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let too_many = "too many pictures are being looked at: try again in a few seconds";
        *free = free.checked_sub(bytes).ok_or_else(|| Error::Unavailable(too_many.into()))?;
        Ok(DarkroomPlace { room: self.0.clone(), bytes })
    }
}

/// Bytes of the room that are taken.
#[derive(Debug)]
struct DarkroomPlace {
    room: Arc<DarkroomRoom>,
    bytes: u64,
}

impl DarkroomPlace {
    /// Gives back what is beyond `bytes`.
    fn shrink(&mut self, bytes: u64) {
        let back = self.bytes.saturating_sub(bytes);
        self.bytes -= back;
        *self.room.free.lock().unwrap_or_else(PoisonError::into_inner) += back;
        self.room.freed.notify_all();
    }
}

impl Drop for DarkroomPlace {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grey PNG that needs `mega` million pixels.
    fn picture(mega: u32) -> Vec<u8> {
        let picture = Picture::new(1000, 1000 * mega, vec![90; 3_000_000 * mega as usize]).unwrap();
        picture.to_jpeg(10)
    }

    #[test]
    fn pictures_have_their_place_until_they_go() {
        let (room, bytes) = (Darkroom::default(), picture(2));
        let free = || *room.0.free.lock().unwrap();
        let one = room.develop(&bytes).unwrap();
        let two = room.develop(&bytes).unwrap();
        assert_eq!(ROOM - free(), one.rgb.len() as u64 + two.rgb.len() as u64);
        drop((one, two));
        assert!(room.develop(b"no picture").is_err());
        assert_eq!(free(), ROOM);
    }

    #[test]
    fn a_picture_waits_until_another_goes() {
        let room = Darkroom::default();
        let taken = room.place(ROOM - 1_000_000).unwrap();
        let (other, bytes) = (room.clone(), picture(1));
        let waits = std::thread::spawn(move || other.develop(&bytes).map(|seen| seen.width));
        drop(taken);
        assert_eq!(waits.join().unwrap().unwrap(), 1000);
    }
}

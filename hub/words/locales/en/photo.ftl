# Photos of a class.
photo-looking = Looking for faces
photo-grouping = Putting faces together
photo-naming = Comparing faces
photo-per-second = per second
photo-cancel = Cancel
photo-cancelled = Cancelled. What was done until then is kept.
photo-who = Who is on this photo?
photo-picture = { $count ->
    [one] The photo with a box around 1 face
   *[other] The photo with a box around each of { $count } faces
}
photo-no-face = No face was found on this photo. Take another one, from the front and with more light.
photo-face = Face { $number }
photo-unknown = Unknown
photo-perhaps = Perhaps
photo-class = The class
photo-twice = Somebody is chosen for two faces. Nobody is on a photo twice: correct one of them.
photo-moved = Nobody is on a photo twice: the other face is unknown now.
photo-nobody-chosen = Nobody is chosen. Say who at least one face is, or take the photo away.
photo-lesson = Lesson
photo-new-lesson = The lesson at the time of the photo, or a new one
photo-mark = Mark these present
photo-then-gone = Then the photo and its faces are deleted. Whoever is unknown stays as they are on the roll.
photo-not-looked = Nobody has looked for faces on this photo yet.
photo-look = Look for faces
photo-remove = Delete the photo without marking
photo-add = Add a photo of the class
photo-file = Drop a photo here, or choose one
photo-hint = Faces of at least 60 pixels, at most 10 MiB. It is deleted when you are done, or after 7 days.
photo-send = Send and look for faces
photo-sending = Sending photos
photo-failed = The hub did not take it. Try again.
photo-waiting = Photos that wait for you
photo-older = Show older ones
photo-faces = { $count ->
    [one] 1 face
   *[other] { $count } faces
}
photo-new = not looked at yet
photo-unnamed = Faces without a name
photo-unnamed-lead = From all photos of this class that wait. Naming a group marks that student present in the lessons of those photos.
photo-group = Put the same faces together
photo-guess = Guess names
photo-name-sure = Name the sure ones
photo-group-of = Group { $number }
photo-a-face = A face without a name
photo-all-these = { $count ->
    [one] This face is
   *[other] All these { $count } faces are
}
photo-choose = Choose …
photo-name-them = Name them
photo-alone = { $count ->
    [one] 1 face is in no group.
   *[other] { $count } faces are in no group.
}

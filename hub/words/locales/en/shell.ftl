# The frame of every page.
shell-skip = Skip to the content
shell-home = Rollcall, to the review desk
shell-home-own = Rollcall, to your own page
shell-pages = Pages
shell-review = Review
shell-class = Classes
shell-people = People
shell-doors = Doors
shell-settings = Settings
shell-me = About me
shell-signed-in = Your account, { $name }
shell-sign-out = Sign out
shell-language = Language

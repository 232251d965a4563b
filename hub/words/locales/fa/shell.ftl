# قاب همهٔ صفحه‌ها
shell-skip = رفتن به محتوا
shell-home = Rollcall، به میز بررسی
shell-home-own = Rollcall، به صفحهٔ خودتان
shell-pages = صفحه‌ها
shell-review = بررسی
shell-class = کلاس‌ها
shell-people = افراد
shell-doors = درها
shell-settings = تنظیمات
shell-me = دربارهٔ من
shell-signed-in = حساب شما، { $name }
shell-sign-out = خروج
shell-language = زبان

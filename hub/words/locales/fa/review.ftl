# میز بازبینی
review-title = بازبینی
review-heading = چه کسی وارد شد؟
review-waiting = { $count ->
    [one] { $count } نفر منتظر است
   *[other] { $count } نفر منتظرند
}
review-connecting = در حال اتصال …
review-live = زنده
review-lost = در حال اتصال دوباره …
review-keys = کلیدها
review-undo = واگرد
review-more = نمایش موارد بعدی
review-line = از این‌جا به بعد اطمینان کمتر است: با دقت نگاه کنید
review-sure = { $count ->
    [one] تأیید یک مورد مطمئن
   *[other] تأیید { $count } مورد مطمئن
}
review-other-lesson = درس کلاسی دیگر
review-crop = چهره، همان‌گونه که درِ کلاس دید
review-no-crop = تصویری نگه داشته نشده
review-nobody = فردی ناشناس
review-percent = { $count }٪
review-number = شمارهٔ { $number }
review-why = چرا منتظر شماست
review-or = یا این فرد بود
review-approve = تأیید
review-approve-name = تأیید { $name }
review-reject = رد
review-reject-name = رد { $name }
review-rest = پاسخ‌های دیگر
review-rest-name = پاسخ‌های دیگر: فردی دیگر یا هیچ‌کس
review-unknown = فردی ناشناس
review-never = این فرد نبود و دیگر هم نباشد
review-else = فردی دیگر …
review-who = چه کسی بود؟
review-search = نام یا شماره
review-search-go = جست‌وجو
review-found = افراد یافته‌شده
review-found-nobody = کسی با نام «{ $text }» یافت نشد.
review-back = بازگشت به میز بازبینی
review-approved = تأیید شد: { $name }
review-approved-sure = { $count ->
    [one] { $count } نفر تأیید شد
   *[other] { $count } نفر تأیید شدند
}
review-rejected = رد شد: { $name } نبود
review-ruled-out = { $name } نبود و دیگر هم نخواهد بود
review-is-unknown = رد شد: فردی ناشناس بود
review-waits = { $name } دوباره منتظر است
review-wait-again = { $count ->
    [one] { $count } نفر دوباره منتظر است
   *[other] { $count } نفر دوباره منتظرند
}
review-somebody = فردی دیگر
review-was-approved = { $by } پیش از شما این را به نام { $name } تأیید کرده است
review-was-rejected = { $by } پیش از شما این را رد کرده است
review-faster = فرد دیگری زودتر تصمیم گرفت؛ نام او روی کارت است.
review-silent = سامانه پاسخ نداد و تصمیمی ثبت نشد. دوباره تلاش کنید.
review-gone = این مورد دیگر برای تصمیم شما موجود نیست.
review-nothing = چیزی برای واگرد نیست.
review-late = دیگر نمی‌توان این را واگرد کرد: پس از آن دوباره تصمیم گرفته شده است.
review-none-sure = در این گروه کسی آن‌قدر مطمئن نیست که یک‌جا تأیید شود.
review-keys-title = با صفحه‌کلید
review-key-move = بعدی، قبلی
review-key-approve = تأیید: همین فرد بود
review-key-reject = رد: این فرد نبود
review-key-pick = این نامزد بود (۱ همان فرد نام‌برده است)
review-key-else = فرد دیگری بود: جست‌وجو
review-key-unknown = فردی ناشناس بود
review-key-never = این فرد نبود و دیگر هم نباشد: دستگاه‌ها به یاد می‌سپارند
review-key-sure = تأیید همهٔ موارد مطمئن این گروه
review-key-undo = واگرد، تا ۱۰۰ گام
review-key-help = همین راهنما
review-keys-on = این کلیدها فعال باشند
review-close = بستن
review-no-people = هنوز کسی ثبت نشده است
review-no-people-next = درِ کلاس تنها کسانی را می‌شناسد که ثبت شده باشند. نخستین فرد را با یک عکس اضافه کنید.
review-add-people = افزودن افراد
review-no-door = هنوز دستگاهی نصب نشده است
review-no-door-next = یک دستگاه اضافه کنید و فرمانی را که می‌گیرید روی آن اجرا کنید؛ هر کس از آن بگذرد این‌جا می‌آید.
review-add-door = افزودن دستگاه
review-no-class = هنوز کلاسی ندارید
review-no-class-next = افراد کلاس‌های شما این‌جا دیده می‌شوند. از مدیر بخواهید شما را به کلاس‌هایتان اضافه کند.
review-all-decided = برای همه تصمیم گرفته شد
review-all-decided-next = چیزی منتظر شما نیست. هر کس از در بگذرد، خودبه‌خود این‌جا نمایان می‌شود.

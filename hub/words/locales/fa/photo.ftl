# عکس‌های کلاس
photo-looking = در حال یافتن چهره‌ها
photo-grouping = در حال گروه‌بندی چهره‌ها
photo-naming = در حال مقایسهٔ چهره‌ها
photo-per-second = در ثانیه
photo-cancel = لغو
photo-cancelled = لغو شد. آنچه تا آن زمان انجام شده بود حفظ می‌شود.
photo-who = چه کسانی در این عکس هستند؟
photo-picture = { $count ->
   *[other] عکس با کادری دور هر یک از { $count } چهره
}
photo-no-face = در این عکس چهره‌ای یافت نشد. عکس دیگری از روبه‌رو و با نور بیشتر بگیرید.
photo-face = چهرهٔ { $number }
photo-unknown = ناشناس
photo-perhaps = شاید
photo-class = کلاس
photo-twice = یک نفر برای دو چهره انتخاب شده است. هیچ‌کس دو بار در یک عکس نیست؛ یکی را اصلاح کنید.
photo-moved = هیچ‌کس دو بار در یک عکس نیست؛ چهرهٔ دیگر اکنون ناشناس است.
photo-nobody-chosen = کسی انتخاب نشده است. دست‌کم یک چهره را مشخص کنید یا عکس را حذف کنید.
photo-lesson = جلسه
photo-new-lesson = جلسهٔ زمان عکس، یا جلسه‌ای تازه
photo-mark = ثبت حضور این افراد
photo-then-gone = سپس عکس و چهره‌هایش حذف می‌شوند. وضعیت افراد ناشناس در فهرست تغییری نمی‌کند.
photo-not-looked = هنوز چهره‌های این عکس جست‌وجو نشده‌اند.
photo-look = یافتن چهره‌ها
photo-remove = حذف عکس بدون ثبت
photo-add = افزودن عکس کلاس
photo-file = عکس را اینجا رها کنید یا انتخاب کنید
photo-hint = چهره‌ها دست‌کم ۶۰ پیکسل، حداکثر ۱۰ مبی‌بایت. عکس پس از پایان کار یا پس از ۷ روز حذف می‌شود.
photo-send = ارسال و یافتن چهره‌ها
photo-sending = در حال ارسال عکس‌ها
photo-failed = سامانهٔ مرکزی آن را نپذیرفت. دوباره تلاش کنید.
photo-waiting = عکس‌هایی که منتظر شما هستند
photo-older = نمایش قدیمی‌ترها
photo-faces = { $count ->
   *[other] { $count } چهره
}
photo-new = هنوز بررسی نشده
photo-unnamed = چهره‌های بی‌نام
photo-unnamed-lead = از همهٔ عکس‌های در انتظارِ این کلاس. نام‌گذاری یک گروه، آن دانش‌آموز را در جلسه‌های آن عکس‌ها حاضر ثبت می‌کند.
photo-group = گروه‌بندی چهره‌های یکسان
photo-guess = حدس نام‌ها
photo-name-sure = نام‌گذاری موارد مطمئن
photo-group-of = گروه { $number }
photo-a-face = چهره‌ای بی‌نام
photo-all-these = { $count ->
   *[other] این { $count } چهره متعلق است به
}
photo-choose = انتخاب کنید …
photo-name-them = نام‌گذاری
photo-alone = { $count ->
   *[other] { $count } چهره در هیچ گروهی نیست.
}

# آنچه مدیر سامانه برای همهٔ مدرسه تنظیم می‌کند
settings-title = تنظیمات
settings-lead = برای همهٔ مدرسه. هر تغییر در دفتر رویدادها نوشته می‌شود.
settings-pages = صفحه‌های تنظیمات
settings-recognition = بازشناسی
settings-recognition-for = از چه امتیازی یک چهره همان فرد است و اینجا چه پیامدی دارد.
settings-rec-lead = چهره چه اندازه باید همانند باشد تا در مطمئن شود، و از کجا از کسی پرسیده شود.
settings-rec-fixed = مرزها در پروندهٔ خود سامانه (lines.high و lines.review) تعیین شده‌اند و همان معتبر است. برای گزینش در اینجا آنها را از آنجا بردارید.
settings-rec-means = پیامد مرزها
settings-rec-own = بر پایهٔ { $count } گذر که اینجا کسی درباره‌شان تصمیم گرفته است.
settings-rec-published = { $count ->
    [0] هنوز دربارهٔ هیچ گذری تصمیم گرفته نشده است.
    [one] تاکنون دربارهٔ یک گذر تصمیم گرفته شده است.
   *[other] تاکنون دربارهٔ { $count } گذر تصمیم گرفته شده است.
 } کمتر از ۳۰۰ گذر گویا نیست: نام‌های نادرست عدد منتشرشدهٔ شبکه برای { $people ->
    [one] یک فرد ثبت‌شده
   *[other] { $people } فرد ثبت‌شده
 } است.
settings-rec-nothing = { $count ->
    [0] هنوز دربارهٔ هیچ گذری تصمیم گرفته نشده است.
    [one] تاکنون دربارهٔ یک گذر تصمیم گرفته شده است.
   *[other] تاکنون دربارهٔ { $count } گذر تصمیم گرفته شده است.
 } کمتر از ۳۰۰ گذر گویا نیست و برای این شبکه عددی منتشر نشده است.
settings-rec-few = ردیف‌های دیگر بر پایهٔ همان چند گذرِ تصمیم‌گرفته‌شده‌اند، یا خالی‌اند.
settings-rec-now = اکنون
settings-rec-then = با مرزهای تازه
settings-rec-high = مطمئن از
settings-rec-review = پرسش از کسی، از
settings-rec-wrong = نام نادرست در هر ۱٬۰۰۰ گذر
settings-rec-asked = گذرهایی از ۱٬۰۰۰ که منتظر کسی می‌مانند
settings-rec-left = گذرهایی از ۱٬۰۰۰ که ناشناس می‌مانند
settings-rec-about = نزدیک { $wrong }
settings-rec-interval = { $wrong } (۱۹ بار از ۲۰ میان { $low } و { $high })
settings-rec-unknown = هنوز دانسته نیست
settings-rec-alike = دو فرد ثبت‌شده تا { $highest } همانندند، پس اینجا کسی پایین‌تر از { $line } مطمئن شمرده نمی‌شود.
settings-rec-save = به‌کاربردن مرزهای تازه
settings-rec-keep = نگه‌داشتن مرزهای کنونی
settings-rec-back = بازگشت به مرزهای خود شبکه
settings-rec-choose = گزینش مرزهای دیگر
settings-rec-budget = نام نادرست در هر ۱٬۰۰۰ گذر، دست بالا
settings-rec-budget-hint = نام‌های نادرستِ کمتر یعنی پرسش‌های بیشتر از افراد.
settings-rec-show = نمایش پیامد
settings-rec-exact = تعیین دقیق مرزها
settings-rec-scores = امتیازهای اینجا
settings-rec-scores-lead = هر ستون گذرهای یک امتیاز را می‌شمارد. بلندی ردیف‌ها جداگانه است: شکل‌ها را بسنجید، نه اندازه‌ها را.
settings-rec-right = نام‌های درست
settings-rec-wrongs = نام‌های نادرست
settings-rec-pairs = سنجش افراد ثبت‌شدهٔ متفاوت
settings-rec-drawn = ستون‌های امتیاز در سه ردیف، با مرزها روی آنها. همین عددها در جدول پایین هست.
settings-rec-table = همان به‌صورت جدول
settings-rec-none = هنوز امتیازی نیست: افراد را ثبت کنید و در میز بررسی دربارهٔ گذرها تصمیم بگیرید.
settings-rec-score = امتیاز
settings-rec-saved = مرزهای تازه از هم‌اکنون معتبرند. هر در آنها را با گالری بعدی خود می‌گیرد.
settings-rec-usual = مرزهای خود شبکه دوباره معتبرند. هر در آنها را با گالری بعدی خود می‌گیرد.
settings-save = ذخیره
settings-next = نمایش بعدی‌ها
settings-from-day = از
settings-to-day = تا، واپسین روز
settings-users = کاربران
settings-users-for = آموزگاران، مدیران سامانه و دانش‌آموزانی که حساب دارند و کارهایی که می‌توانند بکنند.
settings-users-all = همهٔ حساب‌ها
settings-users-back = بازگشت به همهٔ حساب‌ها
settings-user-name = نام
settings-user-email = رایانامه
settings-user-role = نقش
settings-user-role-hint = نقش تازه ورودهای آنان را پایان می‌دهد.
settings-user-state = وضعیت
settings-user-is-closed = بسته
settings-user-no-way = هنوز نمی‌تواند وارد شود
settings-user-two-steps = دو گام
settings-user-one-step = تنها گذرواژه
settings-user-add = افزودن حساب
settings-user-teacher-id = شمارهٔ آموزگار
settings-user-student-id = شمارهٔ دانش‌آموز، برای دانش‌آموز
settings-user-first-password = نخستین گذرواژه
settings-user-first-hint = دست‌کم ۸ نویسه. برای تعیین در آینده خالی بگذارید.
settings-user-invite = دعوت: می‌تواند با { $name } و همین نشانی وارد شود
settings-user-may-link = دعوت‌شده: نخستین ورود از جای دیگر با همین نشانی حساب را از آنِ خود می‌کند
settings-user-profile = مشخصات
settings-user-teaches = کلاس‌هایی که درس می‌دهد
settings-user-teaches-none = در هیچ کلاسی درس نمی‌دهد، پس کلاسی نمی‌بیند.
settings-user-from = از { $day }
settings-user-to = تا { $day }
settings-user-stop = پایان دادن
settings-user-stop-of = پایان تدریس { $class }
settings-user-class = کلاس
settings-user-no-class = هنوز کلاسی نیست: نخست یکی بسازید.
settings-user-substitute = برای جانشین؛ خالی یعنی تا آگاهی بعدی.
settings-user-teach = سپردن کلاس
settings-user-entry = ورود
settings-user-new-password = گذرواژهٔ تازه
settings-user-new-hint = خودتان به او بگویید؛ همهٔ ورودهایش پایان می‌یابد.
settings-user-set-password = تعیین گذرواژه
settings-user-factor = برداشتن گام دوم
settings-user-unlink = پایان ورود از جای دیگر
settings-user-open = بازکردن دوبارهٔ حساب
settings-user-close = بستن حساب
settings-user-close-hint = حساب بسته به هیچ‌جا وارد نمی‌شود و جایش در دفتر رویدادها می‌ماند.
settings-user-log = کارهای او
settings-user-sign-ins = جاهایی که وارد شده است
settings-user-nowhere = در هیچ‌جا وارد نشده است.
settings-user-end-sign-ins = پایان دادن همهٔ ورودهای او
settings-user-signed-out = همهٔ ورودهای او پایان یافت.
settings-steps = چه کسانی باید گام دوم داشته باشند
settings-steps-lead = هر که یکی از این نقش‌ها را دارد و گام دوم ندارد، تنها می‌تواند آن را تنظیم کند. از کسی که از جای دیگر وارد می‌شود همان‌جا پرسیده می‌شود.
settings-steps-saved = ذخیره شد.
settings-user-added = حساب ساخته شد.
settings-user-saved = ذخیره شد.
settings-user-closed = حساب بسته شد و همهٔ ورودهایش پایان یافت.
settings-user-opened = حساب دوباره باز شد.
settings-user-password-set = گذرواژهٔ تازه معتبر است و همهٔ ورودهای او پایان یافت.
settings-user-factor-gone = گام دوم برداشته شد: گذرواژه به‌تنهایی حساب را باز می‌کند.
settings-user-unlinked = ورود از جای دیگر پایان یافت.
settings-user-teaching = ذخیره شد.
settings-add = افزودن
settings-remove = برداشتن
settings-remove-of = برداشتن { $name }
settings-timetable = برنامهٔ هفتگی
settings-timetable-for = درس‌هایی که هر هفته برگزار می‌شوند و روزهایی که تفاوت دارند.
settings-time-skipped = آنچه از پرونده کنار گذاشته شد
settings-time-no-class = هنوز کلاسی نیست
settings-time-no-class-next = هر درس از آنِ کلاسی است. نخست کلاسی بسازید؛ سپس هفتهٔ آن اینجا برنامه‌ریزی می‌شود.
settings-time-week = هفتهٔ { $day }
settings-time-class = کلاس
settings-time-or-room = یا یک اتاق
settings-time-show = نمایش
settings-time-before = هفتهٔ پیش
settings-time-today = همین هفته
settings-time-after = هفتهٔ بعد
settings-time-free = بدون درس
settings-time-is-cancelled = لغوشده
settings-time-moved = جابه‌جا شده
settings-time-is-moved = جابه‌جا شده: { $times }، { $room }
settings-time-add = افزودن درس هفتگی
settings-time-weekday = روز
settings-time-starts = آغاز
settings-time-ends = پایان
settings-time-room = اتاق
settings-time-room-hint = خالی یعنی اتاق همیشگی کلاس.
settings-time-open = خالی یعنی تا آگاهی بعدی.
settings-time-import = گرفتن از پرونده
settings-time-import-lead = یک تقویم (‎.ics) یا یک جدول (‎.csv). دوباره‌گرفتن همان پرونده چیزی را عوض نمی‌کند.
settings-time-file = پرونده
settings-time-of = کلاس، اگر پرونده نام نبرده باشد
settings-time-feed = برای تقویم خودتان نشانی محرمانه‌ای هست:
settings-time-taken = { $new } تازه، { $same } از پیش بود.
settings-time-back = بازگشت به هفته
settings-time-every = هر هفته
settings-time-end = پایان این درس
settings-time-end-hint = آنچه برگزار شده می‌ماند؛ آنچه در پیش است می‌رود.
settings-time-days = روزهای متفاوت
settings-time-days-none = هیچ روزی در پیش متفاوت نیست.
settings-time-usual = مانند همیشه
settings-time-usual-of = مانند همیشه در { $day }
settings-time-day = روز
settings-time-how = چه می‌شود
settings-time-cancel = درس برگزار نمی‌شود
settings-time-move = زمان یا اتاق دیگر
settings-time-differ = ثبت تفاوت آن روز
settings-time-added = درس برنامه‌ریزی شد.
settings-time-saved = ذخیره شد.
settings-time-ended = درس پایان یافت؛ آنچه برگزار شده می‌ماند.
settings-time-differs = ذخیره شد.
settings-holidays = تعطیلات
settings-holidays-for = روزهای بی‌درس: در آنها کسی غایب نیست.
settings-holidays-ahead = در پیش
settings-holidays-none = تعطیلی‌ای ثبت نشده است. یکی در پایین بیفزایید یا در صفحهٔ برنامهٔ هفتگی پروندهٔ تقویم را بگیرید.
settings-holidays-over = آنهایی که گذشته‌اند
settings-holiday-add = افزودن روزهای بی‌درس
settings-holiday-name = نام
settings-holiday-one = خالی یعنی یک روز.
settings-holiday-saved = ذخیره شد: در آن روزها درسی نیست.
settings-holiday-gone = برداشته شد: درس‌های آن روزها بازگشتند.
settings-rooms = اتاق‌ها
settings-rooms-for = جای درس‌ها و درها. در و درسی که نام یک اتاق را دارند به هم پیوسته‌اند.
settings-rooms-all = همهٔ اتاق‌ها
settings-rooms-none = هنوز اتاقی ثبت نشده است. یکی بیفزایید، یا هنگام برنامه‌ریزی درس یا افزودن در نامش را بنویسید.
settings-room-add = افزودن اتاق
settings-room-name = نام
settings-room-where = راه رسیدن
settings-room-where-of = راه رسیدن به { $name }
settings-room-saved = ذخیره شد.
settings-room-gone = اتاق برداشته شد.
settings-waiting = در انتظار
settings-sent = فرستاده‌شده
settings-failed = ناموفق
settings-retention = نگهداری داده‌ها
settings-retention-for = هر چیز پس از چند روز خودبه‌خود پاک می‌شود.
settings-keep-days = روزها
settings-keep-lead = آنچه سر آمده روزی یک بار، اندکی پس از نیمه‌شب، می‌رود؛ خانهٔ خالی آن را برای همیشه نگه می‌دارد.
settings-keep-last = آخرین اجرا: { $ago }.
settings-keep-no-run = هنوز اجرایی نبوده است: نخستین آن تا یک روز دیگر می‌آید.
settings-keep-what = چه چیزی
settings-keep-after = می‌رود پس از (روز)
settings-keep-never = هرگز
settings-keep-due = اکنون می‌رود
settings-keep-gone = بار پیش رفت
settings-keep-crops = تصویر گذرها، پس از تصمیم
settings-keep-pending = گذرهایی که کسی درباره‌شان تصمیم نگرفت
settings-keep-logged = گذرهایی که تنها ثبت شده‌اند
settings-keep-decided = گذرهای تصمیم‌گرفته‌شده؛ حضور و غیاب بی آنها می‌ماند
settings-keep-leavers = کسانی که رفته‌اند: با همه‌چیز پاک می‌شوند
settings-keep-undo = گام‌هایی که بررسی‌کنندگان می‌توانند پس بگیرند
settings-keep-mail = نامه‌ها و پیام‌های فرستاده یا رهاشده
settings-keep-sign-ins = ورودهای پایان‌یافته
settings-keep-health = آنچه درها دربارهٔ خود گفته‌اند
settings-keep-dead-letters = پیام‌هایی که فهمیده نشدند
settings-keep-saved = ذخیره شد. از اجرای بعدی معتبر است.
settings-keep-runs = اجراها
settings-keep-next = اجرای بعدی: { $day }، اندکی پس از نیمه‌شب.
settings-keep-next-soon = اجرای بعدی تا یک دقیقهٔ دیگر است.
settings-keep-due-all = { $count ->
    [0] اکنون چیزی برای رفتن نیست.
    [one] اکنون یک مورد می‌رود؛ جدول پایین نوع آن را می‌گوید.
   *[other] اکنون { $count } مورد می‌رود؛ جدول پایین نوع آنها را می‌گوید.
}
settings-keep-run = اجرا در همین لحظه …
settings-keep-run-hint = آنچه می‌رود بازنمی‌گردد، و اگر کلید فردی با آن برود، از پشتیبان هم بازنمی‌گردد.
settings-keep-run-now = { $count ->
    [one] همین حالا یک مورد برداشته شود
   *[other] همین حالا { $count } مورد برداشته شود
}
settings-keep-ran = { $count ->
    [0] اجرا انجام شد: چیزی سر نیامده بود.
    [one] اجرا انجام شد: یک مورد رفت.
   *[other] اجرا انجام شد: { $count } مورد رفت.
}
settings-keep-stopped = { $count ->
    [0] اجرا پیش از رفتن چیزی متوقف شد.
    [one] اجرا متوقف شد: یک مورد رفت و بقیه با اجرای بعدی می‌رود.
   *[other] اجرا متوقف شد: { $count } مورد رفت و بقیه با اجرای بعدی می‌رود.
}
settings-mail = نامه‌ها
settings-mail-for = آیا نامه‌ای می‌رود، چه می‌گوید و چه چیزی نرسیده است.
settings-mail-server = کارساز نامه
settings-mail-set = تعیین‌شده
settings-mail-unset = تعیین‌نشده
settings-mail-by = نامه‌ها با { $host } و از { $from } می‌روند. هر دو در پروندهٔ خود سامانه تعیین شده‌اند.
settings-mail-none = نامه‌ای نمی‌رود: پروندهٔ خود سامانه کارساز نامه‌ای نام نبرده است. یکی در آن بنویسید و سامانه را دوباره راه بیندازید:
settings-mail-test = فرستادن نامه به { $email }
settings-mail-test-subject = Rollcall می‌تواند نامه بفرستد
settings-mail-test-body = کسی در صفحهٔ تنظیمات این نامه را خواسته است. کاری لازم نیست.
settings-mail-tested = کارساز نامه، نامه به { $email } را پذیرفت.
settings-mail-sample = آنچه خانواده‌ها می‌خوانند
settings-mail-sample-lead = دربارهٔ یک غیبت، دست‌کم نیم ساعت پس از درس. آموزگاران آن را در صفحهٔ خود روشن یا خاموش می‌کنند.
settings-mail-lesson = جبر
settings-mail-somebody = آدا لاولیس
settings-mail-newest = تازه‌ترین نامه‌ها
settings-mail-absence = غیبت
settings-mail-low = حضور کم
settings-mail-custom = پیام
settings-webhooks = وب‌هوک‌ها
settings-webhooks-for = برنامه‌های دیگری که از رویدادهای اینجا آگاه می‌شوند، تنها با شماره‌ها.
settings-hook-secret = رمز وب‌هوک تازه
settings-hook-once = پیام‌ها با آن امضا می‌شوند (Standard Webhooks). همین حالا رونوشت بردارید: دوباره نشان داده نمی‌شود.
settings-hook-none = به هیچ برنامه‌ای چیزی گفته نمی‌شود
settings-hook-none-next = نشانی یکی را در پایین بیفزایید. بی آن چیزی بیرون نمی‌رود.
settings-hook-is-on = روشن
settings-hook-is-off = خاموش
settings-hook-failing = ناموفق
settings-hook-since = ناموفق از { $ago }؛ پس از پنج روز خاموش می‌شود
settings-hook-everything = همه‌چیز گفته می‌شود.
settings-hook-event = رویداد
settings-hook-written = زمان نوشتن
settings-hook-outcome = سرانجام
settings-hook-ping = فرستادن پیام آزمایشی
settings-hook-switch-off = خاموش کردن
settings-hook-switch-on = روشن کردن
settings-hook-add = افزودن وب‌هوک
settings-hook-url = نشانی
settings-hook-which = چه چیزی گفته شود
settings-hook-which-hint = اگر چیزی نگزینید، همه‌چیز.
settings-hook-on = روشن شد.
settings-hook-off = خاموش شد: چیزی گفته نمی‌شود.
settings-hook-gone = برداشته شد.
settings-hook-pinged = پیام آزمایشی در راه است؛ چند ثانیهٔ دیگر نگاه کنید.
settings-keep-copies = رونوشت‌های پایگاه داده از پیش از به‌روزرسانی

# درها: حال هر یک، آنچه می‌بیند، و پیوستن درِ تازه
doors-title = درها
doors-tally = { $count ->
    [0] هنوز دری نیست
    [one] یک در، { $online } متصل
   *[other] { $count } در، { $online } متصل
 }
doors-list = درها به ترتیب اتاق
doors-search = نام، اتاق یا جا
doors-search-room = اتاق
doors-search-every = همهٔ اتاق‌ها
doors-search-go = جستجو
doors-found = { $count ->
    [0] دری یافت نشد.
    [one] یک در یافت شد.
   *[other] { $count } در یافت شد.
 }
doors-found-all = نمایش همه
doors-found-none = دری که خواستید نیست
doors-found-none-next = کمتر بخواهید، یا همه را نشان دهید.
doors-no-room = اتاق گفته نشده
doors-none = هنوز دری نیست
doors-none-next = نخستین در را در بالا بیفزایید؛ فرمانی می‌گیرید که باید بر دستگاهِ جلوی در اجرا شود.
doors-next = نمایش درهای بعدی
doors-heard = آخرین خبر: { $ago }
doors-never-heard = هنوز خبری نرسیده
doors-uses = گالری { $version }
doors-uses-of = گالری { $version }، باید { $wanted } باشد
doors-more-faults = { $count ->
    [one] یک ایراد دیگر
   *[other] { $count } ایراد دیگر
 }
doors-day-time = { $day }، { $time }
doors-done-push = اکنون به هر درِ متصل دربارهٔ گالری‌اش گفته شد.
doors-done-back = درها به افرادِ گالری پیشین بازمی‌گردند.

# فرستادن گالری
doors-gallery = درها چه کسانی را می‌شناسند
doors-push = { $done } در از { $total ->
    [one] یک در
   *[other] { $total } در
 } تازه‌ترین گالری را به کار می‌برد
doors-held = { $count ->
    [one] یک در بازگردانده شده است: تا گالری را نفرستید فرد تازه‌ای نمی‌گیرد.
   *[other] { $count } در بازگردانده شده‌اند: تا گالری را نفرستید فرد تازه‌ای نمی‌گیرند.
 }
doors-late = هنوز نرسیده‌اند
doors-late-offline = متصل نیست: با اتصال آن را می‌گیرد
doors-late-trouble = نتوانست آن را بگیرد:
doors-late-fetched = فایل را دارد و به‌زودی به کار می‌برد
doors-late-told = به آن گفته شده و هنوز دریافت نکرده است
doors-late-more = { $count ->
    [one] و یکی دیگر
   *[other] و { $count } درِ دیگر
 }
doors-push-now = فرستادن گالری، همین حالا
doors-push-hint = درها هر تغییر را خودبه‌خود می‌گیرند. فرستادن گالری به بازگرداندن هم پایان می‌دهد.
doors-back = بازگرداندن گالری …
doors-back-what = هر در به افرادِ گالری پیش از این بازمی‌گردد و تا گالری را دوباره نفرستید فرد تازه‌ای نمی‌گیرد. کسی که از آن پس پاک شده یا رضایتش را پس گرفته است فراموش‌شده می‌ماند.
doors-back-now = بازگرداندن گالری در همهٔ درها

# افزودن در
doors-add = افزودن در
doors-add-go = افزودن و نمایش روش پیوستن
doors-name = نام دستگاه
doors-name-hint = حروف کوچک لاتین، رقم، «-» و «.»، مانند {"\u2068"}door-204{"\u2069"}
doors-room = اتاق پشتِ در
doors-room-hint = همان نامی که در درس‌ها هست؛ تعیین می‌کند حضور چه کسانی در این در ثبت شود
doors-location = محل نصب
doors-location-hint = برای کسی که باید آن را پیدا کند
doors-way = گذر افراد
doors-way-both = از هر دو سو
doors-way-entry = هنگام ورود
doors-way-exit = هنگام خروج

# حال در، و کاری که باید کرد
doors-cut-off = قطع‌شده
doors-cut-off-next = نه می‌تواند متصل شود و نه چیزی بگیرد. برای بازگرداندنش رمز پیوستنِ تازه‌ای بسازید تا دوباره بپیوندد.
doors-not-joined = هنوز نپیوسته
doors-not-joined-next = در پایین رمز پیوستن بسازید و فرمان آن را بر دستگاه اجرا کنید.
doors-ended = گواهی پایان یافته
doors-ended-next = آن‌قدر دور بود که گواهی تمدید نشد. در پایین رمز پیوستن بسازید تا دوباره بپیوندد؛ آنچه در این میان ثبت کرده از دست نمی‌رود.
doors-silent = پیوسته، هنوز متصل نشده
doors-silent-next = آن را بر دستگاه راه بیندازید. اگر همین‌گونه ماند، {"\u2068"}rollcall-edge doctor{"\u2069"} در آنجا علت را می‌گوید.
doors-offline = خارج از دسترس
doors-offline-since = خارج از دسترس از { $when }
doors-offline-next = همچنان ثبت می‌کند و همه چیز دیرتر می‌رسد. برق و شبکهٔ آن را بررسی کنید؛ {"\u2068"}rollcall-edge doctor{"\u2069"} بر دستگاه می‌گوید چه کم است.
doors-blind = بدون تصویر
doors-blind-next = دوربینش تصویری نمی‌دهد. کابل دوربین را بررسی کنید؛ خودبه‌خود دوباره باز می‌شود. {"\u2068"}rollcall-edge doctor{"\u2069"} بر دستگاه بیشتر می‌گوید.
doors-clock = ساعت تنظیم نیست
doors-clock-next = زمان را نمی‌داند، پس با گفتهٔ آن برای کسی تأخیر ثبت نمی‌شود. سامانهٔ مرکزی زمان را به آن می‌دهد؛ اگر همین‌گونه ماند شبکه‌اش را بررسی کنید.
doors-hot = بیش از اندازه داغ
doors-hot-next = پردازنده خودش را کند می‌کند و در شلوغی شاید کسی دیده نشود: به دستگاه هوا و گرماگیر برسانید و آن را از آفتاب دور نگه دارید.
doors-sagged = برقِ ناکافی
doors-sagged-next = از روشن‌شدن دستگاه تاکنون ولتاژ افت کرده است و این به کارت آسیب می‌زند: آداپتور ویژهٔ همین برد را با سیم کوتاه به کار ببرید، سپس دستگاه را خاموش و روشن کنید.
doors-memory = حافظهٔ موقت رو به پر شدن
doors-memory-next = سیستم شاید برنامه‌ها را ببندد: برنامه‌های دیگرِ دستگاه را ببندید یا بردی با حافظهٔ بیشتر به کار ببرید.
doors-disk = حافظه رو به پر شدن
doors-disk-next = در دستگاه جا باز کنید یا کارت بزرگ‌تری بگذارید: وقتی پر شود، ثبت‌های تازه پذیرفته نمی‌شوند.
doors-model = بستهٔ مدل دیگر
doors-model-next = با شبکه‌ای جز شبکهٔ سامانهٔ مرکزی چهره‌ها را می‌شناسد. بستهٔ درست را خودبه‌خود می‌گیرد؛ آنچه مانع است در پایین آمده.
doors-behind = عقب از گالری
doors-behind-next = گالری‌ای را که باید به کار نمی‌برد: افراد تازه هنوز آنجا شناخته نمی‌شوند. خودش دوباره تلاش می‌کند؛ اگر نمی‌خواهید صبر کنید بگویید دوباره نگاه کند.
doors-unseeing = نمی‌تواند کسی را بشناسد
doors-unseeing-next = تا وقتی درست نشود، به‌خاطر این ورودی کسی غایب شمرده نمی‌شود.
doors-quiet = متصل، بی‌خبر از دوربین
doors-quiet-next = در یک ربع گذشته نگفته است دوربینش چگونه است. هر در دست‌کم هر ده دقیقه گزارش می‌دهد: اگر همین‌گونه ماند بگویید دوباره راه بیفتد.
doors-ends-soon = گواهی رو به پایان
doors-ends-soon-next = باید تا کنون تمدید شده باشد. {"\u2068"}rollcall-edge doctor{"\u2069"} بر دستگاه می‌گوید چرا نشده است.
doors-watching = در حال دیدن
doors-watching-next = همه چیز همان‌گونه است که باید.

# هشدارها: ایرادی که آن‌قدر ماند که گفته شود، و پایان آن
doors-alert-blind = چیزی نمی‌بیند
doors-alert-blind-next = دوربینش تصویری نمی‌دهد یا همیشه همان را می‌دهد، عدسی‌اش پوشیده است یا واضح نمی‌بیند، یا آن‌جا بسیار تاریک است. عدسی، نور و کابل را بررسی کنید؛ خودبه‌خود ادامه می‌دهد. {"\u2068"}rollcall-edge doctor{"\u2069"} بر دستگاه بیشتر می‌گوید.
doors-alert-program = برنامهٔ قدیمی
doors-alert-program-next = برنامه‌اش از برنامهٔ سامانهٔ مرکزی یا بیشترِ درها قدیمی‌تر است. بستهٔ تازه‌تر را بر دستگاه نصب کنید.
doors-alert-place = { $door } (اتاق { $room })
doors-alert-since = { $door }، از { $when }
doors-alert-over = پایان یافت: { $what }
doors-alert-span = از { $from } تا { $to }
doors-alert-was = { $door }، { $span }
doors-alert-open = از { $when }
doors-alerts = هشدارها
doors-alerts-none = هیچ ایرادی آن‌قدر نماند که گفته شود.
doors-alerts-lead = ایرادهایی که چند دقیقه ماندند، و هنگامی که پایان یافتند. مدیرانی که بخواهند نامه می‌گیرند.

# یک در
doors-to-all = بازگشت به همهٔ درها
doors-how = حال این در
doors-never = هرگز
doors-no-clock = در زمانی که خود نمی‌داند
doors-no-gallery = هنوز برایش ساخته نشده
doors-fact-heard = آخرین خبر
doors-fact-report = آخرین گزارش
doors-fact-camera = دوربین
doors-camera-sees = می‌بیند
doors-camera-blind = بدون تصویر
doors-fact-watched = سهم دیدن در آن دقیقه
doors-percent = { $share }٪
doors-fact-disk = جای خالی حافظه
doors-fact-heat = پردازنده
doors-celsius = { $count } درجهٔ سلسیوس
doors-fact-memory = حافظهٔ موقتِ آزاد
doors-mib = { $count } مبی‌بایت
doors-fact-light = روشنی تصویر
doors-of-255 = { $count } از ۲۵۵
doors-fact-focus = وضوح تصویر
doors-fact-waiting = ثبت‌هایی که منتظر سرورند
doors-fact-dropped = از آغاز کارش رهاشده
doors-dropped = { $looks } نگاه، { $frames } قاب
doors-fact-clock = ساعتش
doors-clock-unset = تنظیم نشده
doors-clock-floor = نه پیش از آخرین زمانی که به یاد دارد
doors-clock-rtc = ساعت باتری‌دار
doors-clock-ntp = زمان شبکه
doors-clock-hub = سرور گفته است
doors-clock-off = حداکثر { $count } میلی‌ثانیه خطا
doors-fact-gallery = گالریِ در کار
doors-fact-trouble = گفتهٔ دستگاه
doors-fact-software = نرم‌افزار
doors-fact-model = بستهٔ مدل
doors-hub-model = سامانهٔ مرکزی: { $model }
doors-fact-certificate = گواهی
doors-certificate-ends = تا { $day }
doors-certificate-auto = خودبه‌خود تمدید می‌شود.
doors-certificate-soon = باید خودبه‌خود تمدید می‌شد: بالا را ببینید.
doors-certificate-none = ندارد: نپیوسته یا قطع شده است
doors-reload = نگاه دوباره برای گالری
doors-restart = راه‌اندازی دوباره
doors-is-offline = در متصل نیست، پس نمی‌توان چیزی به آن گفت. وقتی متصل شد دوباره تلاش کنید.
doors-done-restart = به در گفته شد دوباره راه بیفتد. حدود یک دقیقهٔ دیگر بازمی‌گردد.
doors-done-reload = به در گفته شد دوباره به دنبال گالری‌اش بگردد.
doors-done-place = ذخیره شد. در به محض اتصال آن را می‌گیرد.
doors-done-one-back = در به افرادِ آن گالری بازمی‌گردد.
doors-done-revoke = در قطع شد.
doors-done-settings = ذخیره شد. در به محض اتصال با آن دوباره راه می‌افتد.
doors-done-snap = از در تصویری خواسته شد.

# تصویر به درخواست
doors-picture = دوربینش چه می‌بیند
doors-picture-lead = یک تصویر، هرگاه بخواهید. این‌که چه کسی بخواهد و چه کسی ببیند در دفتر رویدادها نوشته می‌شود. تصویر پنج دقیقه می‌ماند و هرگز بر دیسک نمی‌رود.
doors-picture-ask = درخواست تصویر
doors-picture-waiting = از در خواسته شد. تصویر در راه است.
doors-picture-again = نگاهی برای تصویر
doors-picture-here = تصویری رسیده است.
doors-picture-look = دیدن تصویر
doors-picture-alt = آنچه دوربین { $name } لحظه‌ای پیش دید
doors-picture-silent = از در تصویری خواسته شد و تا یک دقیقه پاسخ نداد. دوباره بخواهید یا آن را دوباره راه بیندازید.
doors-picture-trouble = در نتوانست تصویری بگیرد: { $why }
doors-picture-lost = سامانهٔ مرکزی پاسخ نداد. دوباره بخواهید.

# جای در
doors-place = جای این در
doors-save = ذخیره
doors-settings = تنظیمات این در
doors-settings-lead = هرچه خالی باشد همان است که {"\u2068"}edge.toml{"\u2069"} در دستگاه می‌گوید. در با آنچه ذخیره کنید دوباره راه می‌افتد که حدود یک دقیقه طول می‌کشد؛ میان درس‌ها بهتر است.
doors-settings-range = { $least } تا { $most }
doors-settings-face = کوچک‌ترین چهره، پهنا به پیکسل
doors-settings-frames = قاب‌های یک رگبار
doors-settings-hold = نگاهِ نامطمئن منتظر می‌ماند، میلی‌ثانیه
doors-settings-cooldown = ندیده‌ماندن پیش از گذرِ بعدی، میلی‌ثانیه
doors-settings-crops = تصویرِ چهره‌ها
doors-settings-crops-hint = مهروموم‌شده، تا معلم بتواند تصمیم بگیرد
doors-settings-file = همان که {"\u2068"}edge.toml{"\u2069"} می‌گوید
doors-settings-yes = فرستاده شود
doors-settings-no = فرستاده نشود
doors-settings-save = این تنظیمات به کار رود
doors-conflict = { $who } در این میان این در را تغییر داد؛ تغییر شما ذخیره نشد. اکنون: اتاق { $room }، محل { $location }، { $way }. نگاهی بیندازید و سپس دوباره تغییر دهید.

# تازه‌ترین سطرهای گزارش برنامه‌اش
doors-tail-link = گزارش برنامه‌اش …
doors-tail-title = گزارش برنامهٔ { $name }
doors-tail-lead = تازه‌ترین سطرهایی که برنامه‌اش نوشته است، وقتی بخواهید. نام کسی در آن نیست. این‌که چه کسی خواست و چه کسی خواند در دفتر رویدادها نوشته می‌شود؛ سطرها پنج دقیقه می‌مانند و هرگز روی دیسک نمی‌روند.
doors-tail-ask = تازه‌ترین سطرها را بخواه
doors-tail-lines = تازه‌ترین سطرها
doors-tail-none = در پنج دقیقهٔ گذشته کسی نخواسته است.
doors-tail-waiting = از ورودی خواسته شد. سطرها در راه‌اند.
doors-tail-again = ببین رسیده‌اند
doors-tail-silent = از ورودی خواسته شد و در یک دقیقه جواب نداد. دوباره بخواهید؛ ورودی‌ای که برنامه‌اش از این سرور قدیمی‌تر است این پرسش را نمی‌شناسد.
doors-tail-when = تا { $when }، تازه‌ترین در بالا.
doors-tail-missed = { $count ->
    [one] یک سطر قدیمی‌تر دیگر نگه داشته نشده است.
   *[other] { $count } سطر قدیمی‌تر دیگر نگه داشته نشده است.
 }
doors-tail-empty = از آغاز کارش چیزی ننوشته است.
doors-tail-error = خطا
doors-tail-warn = هشدار
doors-tail-info = یادداشت

# با چه تنظیم‌هایی کار می‌کند
doors-runs = با چه تنظیم‌هایی کار می‌کند
doors-runs-none = ورودی نگفته است با چه کار می‌کند: از آغاز کار این سرور وصل نشده، یا برنامه‌اش از سرور قدیمی‌تر است.
doors-runs-agree = همه چیز همان است که گفته شده.
doors-runs-setting = تنظیم
doors-runs-said = این‌جا گفته شده
doors-runs-with = با این کار می‌کند
doors-runs-from = از کجا
doors-runs-hub = این سرور
doors-runs-file = ‏edge.toml روی دستگاه
doors-runs-default = کسی نگفته
doors-runs-untold = نگفته است
doors-runs-unsaid = با خود دستگاه
doors-dispute-pending = شما { $asked } گفته‌اید؛ هنوز با { $got } کار می‌کند. همین که وصل شود و بشنود، با گفتهٔ شما از نو آغاز می‌کند.
doors-dispute-lingering = اکنون آن را به دستگاه واگذاشته‌اید؛ تا وصل شود و بشنود، هنوز با { $got } کار می‌کند که این سرور پیش‌تر گفته بود.
doors-dispute-refused = تنها { $got } را می‌پذیرد، پس هیچ‌یک از تنظیم‌های این‌جا را به کار نمی‌گیرد. مقدار دیگری بگویید یا برنامه‌اش را به‌روز کنید.
doors-dispute-not-kept = دیسکش آنچه می‌گویید نگه نمی‌دارد و مانند پیش کار می‌کند. کارت حافظه‌اش را بررسی کنید.
doors-dispute-size = از دوربین { $asked } پیکسل خواسته شد و { $got } می‌دهد که نزدیک‌ترین اندازهٔ آن است. در edge.toml دستگاه اندازه‌ای بخواهید که دوربین دارد.
doors-dispute-control = دوربین { $asked } را برای این تنظیم خود نمی‌پذیرد. آن را از edge.toml دستگاه بردارید یا مقداری بدهید که دوربین دارد.
doors-dispute-line = این پایهٔ دستگاه به کار نمی‌آید و آنچه به آن وصل است کاری نمی‌کند. edge.toml و سیم‌کشی دستگاه را بررسی کنید.

# گالری‌های در
doors-releases = گالری‌های این در
doors-releases-lead = بازگشت، گالری تازه‌ای از افرادِ همان گالری می‌سازد، بدون کسانی که از آن پس پاک شده یا رضایتشان را پس گرفته‌اند.
doors-releases-none = هنوز هیچ: نخستین گالری وقتی ساخته می‌شود که در فعال باشد و چهرهٔ کسی ثبت شده باشد.
doors-release = گالری
doors-release-people = افراد
doors-release-when = ساخته‌شده
doors-release-far = وضعیت
doors-release-used = در کار
doors-release-replaced = جایگزین‌شده
doors-release-skipped = به کار نرفته
doors-release-fetched = دریافت‌شده، هنوز نه در کار
doors-release-made = هنوز دریافت نشده
doors-release-back-to = بازگشت به گالری { $version }
doors-is-held = این در بازگردانده شده است: تا گالری دوباره فرستاده نشود فرد تازه‌ای نمی‌گیرد.
doors-todo = کارها

# گذشتهٔ در
doors-log = آنچه اینجا رخ داد
doors-log-none = هنوز هیچ.
doors-log-add = افزوده شد
doors-log-place = اتاق، محل یا جهت تغییر کرد
doors-log-settings = تنظیمات تغییر کرد
doors-log-token = رمز پیوستن ساخته شد
doors-log-join = پیوست
doors-log-renew = گواهی تمدید شد
doors-log-revoke = قطع شد
doors-log-supersede = گواهی پیشین پایان یافت
doors-log-twin = گواهی آن از دو نشانی نشان داده می‌شود: آن را قطع کنید و بگذارید دوباره بپیوندد
doors-log-find = گواهی‌ای نشان داد که این هاب دادنش را به یاد ندارد
doors-log-refuse = رد شد: این هاب گواهی‌ای را که نشان داد نداده است. بگذارید دوباره بپیوندد
doors-log-snap = تصویری خواسته شد
doors-log-look = تصویر دیده شد
doors-log-log = گزارش برنامه‌اش خواسته شد
doors-log-read = گزارش برنامه‌اش خوانده شد
doors-log-restart = گفته شد دوباره راه بیفتد
doors-log-reload = گفته شد دوباره به دنبال گالری بگردد
doors-log-back = گالری بازگردانده شد
doors-log-capture = رمز فرستادن تصویر ساخته شد
doors-log-capture-end = رمز فرستادن تصویر پایان یافت
doors-log-letter = ثبتی به کار نیامد و کنار گذاشته شد
doors-log-lost = ثبت‌هایی از دست رفت
doors-log-lost-full = ثبت‌هایی از دست رفت: حافظه پر بود
doors-log-lost-damaged = ثبت‌هایی از دست رفت: صندوق ارسال آسیب دید
doors-log-lost-health = گزارش‌های کهنه برای بازشدن جا کنار گذاشته شد
doors-log-lost-restored = ثبت‌هایی هنگام بازگردانی مرکز از پشتیبان کهنه‌تر از دست رفت
doors-log-lost-not-kept = ثبت‌هایی از دست رفت: در یک روز بیش از اندازه ثبت به‌دردنخور آمد
doors-log-lost-nobody = گذرهایی از دست رفت: هیچ‌کس ثبت‌نام نشده بود که گذر از آنِ او باشد
doors-log-lost-card = کارت حافظه‌اش عوض، خالی یا به عقب برگردانده شد: هر چه تا آن زمان فرستاده نشده بود از دست رفت
doors-log-blind = دوربین دیگر تصویری نداد
doors-log-sees = دوربین دوباره می‌بیند

# پیوستن و قطع
doors-join-or-cut = پیوستن دوباره، یا قطع
doors-join-lead = دستگاهِ تازه در این در، یا دستگاهی که از نو آماده شده، با رمز تازه می‌پیوندد. دستگاهی را که گم یا دزدیده شده قطع کنید.
doors-new-token = رمز پیوستن تازه
doors-to-door = بازگشت به { $name }
doors-join-title = پیوستن { $name }
doors-join-until = رمز یک بار و تا { $when } کار می‌کند. تنها همین حالا نشان داده می‌شود.
doors-join-steps = سه گام در کنارِ در
doors-join-1 = دستگاه را روشن کنید، به شبکه وصل کنید و خط فرمان آن را باز کنید.
doors-join-2 = این فرمان را اجرا کنید:
doors-join-square = فرمان پیوستن به شکل رمزینه
doors-join-square-hint = تلفن همین فرمان را از این رمزینه می‌خواند.
doors-join-3 = در را راه بیندازید و بگذارید بگوید چه کم است:
doors-card = یا بدون صفحه‌کلید
doors-card-lead = این پرونده را پیش از نخستین روشن‌شدن، با همین نام، در بخش بوتِ کارت دستگاه بگذارید. دستگاه خودش می‌پیوندد و آنچه لازم دارد از اینجا می‌گیرد.
doors-card-get = دریافت پرونده
doors-card-once = یک بار و تا هفت روز کار می‌کند، برای هر کسی که آن را داشته باشد. پس از آن فرمان بالا دیگر کار نمی‌کند.
doors-join-is = آیا پیوسته است؟
doors-join-wait = در انتظار { $name } …
doors-join-done = { $name } پیوست.
doors-join-look = دیدن این در
doors-revoke = قطع …
doors-revoke-title = { $name } قطع شود؟
doors-revoke-back = بازگشت، چیزی قطع نشود
doors-revoke-what = چه می‌شود
doors-revoke-1 = اتصالش تا یک ثانیه پایان می‌یابد و گواهی‌ها و رمزهایش دیگر به حساب نمی‌آیند.
doors-revoke-2 = ثبت‌هایی که هنوز نفرستاده تا وقتی قطع است نمی‌رسند. آنچه رسیده می‌ماند.
doors-revoke-3 = تنها رمز پیوستنِ تازه آن را بازمی‌گرداند.
doors-revoke-now = قطع این در

# برنامه‌ای که برای یک در عکس می‌فرستد
doors-program = عکس با برنامه …
doors-program-title = برنامه‌ای که برای { $name } عکس می‌فرستد
doors-program-lead = برنامه‌ای مانند برنامهٔ یک دوربین قدیمی با رمز این در عکس می‌فرستد. عکس‌ها از آنِ همین در و اتاق آن‌اند و در انتظار تصمیم یک نفر می‌مانند.
doors-program-new = رمز تازه
doors-program-once = همین حالا رونوشت بردارید: دوباره نشان داده نمی‌شود. هر که آن را داشته باشد به‌جای این در عکس می‌فرستد.
doors-program-where = برنامه عکس‌ها را به این نشانی می‌فرستد:
doors-program-token = رمز این در
doors-program-until = رمزی دارد که تا { $when } معتبر است.
doors-program-none = رمزی ندارد.
doors-program-days = رمز تازه چند روز معتبر باشد
doors-program-overlap = رمز پیشین چند ساعت دیگر در کنار آن معتبر بماند
doors-program-give = ساختن رمز تازه
doors-program-end = پایان دادن رمز
doors-program-ended = آن رمز دیگر معتبر نیست.

# Updates
updates-title = به‌روزرسانی درها
updates-back = همهٔ درها
updates-lead = برنامهٔ تازه نخست به یک در، سپس به یک‌دهم درها و سپس به همه می‌رود، هر بار تنها پس از آنکه خود را نشان داد. دری که برنامه در آن راه نمی‌افتد خودش به برنامهٔ پیشین بازمی‌گردد.
updates-link = به‌روزرسانی
updates-trust = درها برنامهٔ چه کسی را می‌پذیرند
updates-trust-how = هنوز از هیچ‌کس. هر که برنامه را منتشر می‌کند کلیدی می‌سازد و نیمهٔ همگانی آن را به شما می‌گوید؛ آنگاه روی هاب بنویسید:
updates-version = نسخهٔ { $version } برای { $machine }
updates-began = آغاز: { $when }
updates-far = { $done } از { $total ->
    [one] یک در
   *[other] { $total } در
 } آن را به کار می‌برند
updates-nobody = هنوز هیچ دری نگفته است که برنامه‌های { $machine } را می‌پذیرد.
updates-going = در راه
updates-everywhere = همه‌جا
updates-paused = نگه داشته
updates-halted = ایستاد: درها آن را نمی‌پذیرند
updates-ended = پایان یافت
updates-stage-one = یک در آن را می‌آزماید.
updates-stage-tenth = یک‌دهم درها آن را می‌گیرند.
updates-stage-all = همهٔ درها آن را می‌گیرند.
updates-pause = نگه داشتن
updates-go-on = ادامه
updates-end = پایان دادن
updates-door-refused = برنامهٔ پیشین را به کار می‌برد:
updates-door-offline = متصل نیست: پس از اتصال ادامه می‌دهد
updates-door-told = به آن گفته شد
updates-door-fetching = آن را می‌گیرد
updates-door-waiting = صبر می‌کند تا کسی نگذرد
updates-door-trial = آن را می‌آزماید
updates-here = برنامه‌های این هاب
updates-none = هنوز هیچ. پروندهٔ امضاشدهٔ برنامه را بیفزایید.
updates-added = افزوده { $when } از سوی { $by }
updates-size = { $size } مبی‌بایت
updates-first = دری که نخست می‌آزماید
updates-first-hint = اگر ننویسید، نخستین در به ترتیب نام
updates-begin = فرستادن نسخهٔ { $version } برای { $machine } به درها
updates-add = افزودن برنامه
updates-file = پروندهٔ امضاشده
updates-file-hint = همان‌گونه که منتشرکننده آن را امضا کرد
updates-add-go = افزودن
updates-done-added = برنامه اینجاست. هرگاه بگویید به درها می‌رود.
updates-done-begun = در راه است: نخست یک در آن را می‌آزماید.
updates-done-said = انجام شد.

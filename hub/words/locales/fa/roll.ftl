# کلاس‌ها و حضور و غیاب یک جلسه
roll-classes = کلاس‌ها
roll-classes-lead = حضور و غیاب امروز، گزارش و عکس‌های هر کلاس.
roll-no-class = هنوز کلاسی وجود ندارد
roll-no-class-admin = نخستین کلاس را در پایین اضافه کنید. سپس دانش‌آموزان و آموزگارش را وارد کنید و درس‌هایش را در «تنظیمات»، «برنامهٔ هفتگی» بچینید.
roll-no-class-teacher = کلاس‌های شما در اینجا نمایش داده می‌شوند. از مدیر سامانه بخواهید شما را به کلاستان اضافه کند.
roll-add-class = افزودن کلاس
roll-class-name = نام
roll-class-code = کد
roll-class-room = اتاق همیشگی
roll-students = { $count ->
   *[other] { $count } دانش‌آموز
}
roll-hours = { $from } تا { $to }
roll-now = هم‌اکنون، { $hours }
roll-next = جلسهٔ بعدی امروز: { $hours }
roll-none-today = امروز جلسهٔ دیگری نیست
roll-today = حضور و غیاب امروز
roll-report = گزارش
roll-photo = عکس کلاس
roll-more = نمایش کلاس‌های بیشتر
roll-of-class = صفحه‌های این کلاس
roll-lessons = جلسه‌های این روز
roll-runs = اکنون
roll-counts = تعدادها
roll-waits = دیده شده، منتظر شماست
roll-by-hand = ثبت‌شده توسط { $name } در ساعت { $time }
roll-said = ثبت دستی در ساعت { $time }
roll-at-door = ورود در ساعت { $time }
roll-at-door-sometime = جلوی در دیده شده، زمان نامعلوم
roll-on-photo = در عکس کلاس
roll-elsewhere = در { $place } دیده شده، ساعت { $time }
roll-left = از { $place } خارج شده، ساعت { $time }
roll-decide = تصمیم‌گیری
roll-undo = بازگرداندن
roll-stands = { $name }: { $state }
roll-faster = کسی زودتر از شما اقدام کرد. { $now }. پیش از تغییر، دوباره نگاه کنید.
roll-failed = سامانهٔ مرکزی پاسخ نداد و چیزی ثبت نشد. دوباره تلاش کنید.
roll-not-here = این دانش‌آموز دیگر در این کلاس نیست.
roll-from-photo = { $count ->
   *[other] { $count } دانش‌آموز بر پایهٔ عکس حاضر ثبت شدند. عکس حذف شد.
}
roll-closed = بسته‌شده در ساعت { $time }
roll-to-come = هنوز آغاز نشده
roll-open = باز
roll-close = بستن جلسه
roll-open-again = بازکردن دوباره
roll-live = زنده
roll-reconnecting = در حال اتصال دوباره …
roll-nobody = کسی در این کلاس نیست
roll-nobody-admin = دانش‌آموزانش را در فهرست کلاس وارد کنید تا در حضور و غیاب بیایند.
roll-nobody-teacher = از مدیر سامانه بخواهید دانش‌آموزان را وارد کند.
roll-no-lesson = امروز جلسه‌ای نیست
roll-no-lesson-lead = در برنامهٔ هفتگی برای این کلاس امروز جلسه‌ای نیست. اگر با این حال کلاس دارید، هم‌اکنون آغازش کنید تا ورودها و عکس‌ها برای آن شمرده شوند.
roll-start = آغاز جلسه هم‌اکنون
roll-unknown = { $count ->
   *[other] هیچ ورودی‌ای این { $count } دانش‌آموز را نمی‌شناسد. هر که را حاضر است علامت بزنید.
}
roll-tick = { $name } حاضر است
roll-tick-present = ثبت حضور

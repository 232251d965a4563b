# گزارش یک کلاس
report-attended = حضور { $rate }
report-of-lessons = { $count ->
   *[other] { $count } جلسه
}
report-from-day = از { $day }
report-to-day = تا { $day }
report-days = کدام روزها
report-from = از
report-to = تا
report-show = نمایش
report-take = دریافت فایل:
report-print = برای چاپ، از فرمان چاپ مرورگر استفاده کنید.
report-no-lesson = در این روزها جلسه‌ای نیست
report-no-lesson-lead = روزهای دیگری انتخاب کنید یا در صفحهٔ حضور و غیاب امروز جلسه‌ای آغاز کنید. جلسه‌های برنامهٔ هفتگی خودبه‌خود نمایش داده می‌شوند.
report-risk = کمتر از ۷۵ درصد
report-no-risk = هیچ‌کس. همه دست‌کم در سه‌چهارم جلسه‌ها حاضر بوده‌اند.
report-missed = { $absent } غیبت از { $of }
report-more-risk = و { $count } نفر دیگر؛ همه در جدول پایین آمده‌اند.
report-trend = روند
report-months = ماه‌ها
report-day = روز
report-month = ماه
report-there = حاضر
report-counted = شمرده‌شده
report-rate = درصد
report-as-table = به‌صورت جدول
report-nothing-counts = هنوز چیزی که شمرده شود ثبت نشده است.
report-register = دفتر حضور و غیاب
report-left-out = سه مورد آخر در درصد شمرده نمی‌شوند.
report-lessons = جلسه‌ها
report-students = دانش‌آموزان
report-before = قبلی
report-after = بعدی
report-name = نام
report-no-mark = چیزی ثبت نشده
report-by-hand = { $mark }، ثبت دستی

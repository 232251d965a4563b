# چه کسی چه کرد
audit-title = دفتر رویدادها
audit-lead = چه کسی چه کرد. تنها شماره‌ها را نگه می‌دارد، نه نام‌ها را؛ پس با پاک‌شدن یک فرد دست‌نخورده می‌ماند.
audit-chain = آیا دفتر کامل است؟
audit-chain-lead = هر سطر مُهری بر همهٔ سطرهای پیش از خود دارد. بررسی همهٔ دفتر را می‌پیماید و سطر تغییرکرده یا برداشته‌شده را نام می‌برد.
audit-head = واپسین مُهر امضاشده از { $day } است، بر { $count ->
    [one] یک سطر
   *[other] { $count } سطر
 }.
audit-no-head = هنوز مُهری امضا نشده است: نخستین آن تا یک روز دیگر می‌آید.
audit-verify = بررسی دفتر
audit-rate = { $rate } سطر در ثانیه
audit-whole = { $count ->
    [one] دفتر کامل است: یک سطر، بی‌گسست.
   *[other] دفتر کامل است: { $count } سطر، بی‌گسست.
 }
audit-cancelled = { $count ->
    [one] بررسی پس از یک سطر متوقف شد؛ آن سطر کامل است.
   *[other] بررسی پس از { $count } سطر متوقف شد؛ آن سطرها کامل‌اند.
 }
audit-rows = سطرها، تازه‌ترین در آغاز
audit-who = چه کسی
audit-who-hint = رایانامه، شماره، «hub» یا «cli:» با یک شماره
audit-action = چه کاری
audit-target = دربارهٔ
audit-target-hint = یک جدول، یا یک جدول و یک شناسه
audit-from = از
audit-to = تا
audit-show = نمایش
audit-none = چیزی یافت نشد
audit-none-next = هیچ سطری با درخواست شما جور نیست. شرط‌ها را کمتر کنید.
audit-all = نمایش همه
audit-number = شماره
audit-when = زمان
audit-next = نمایش قدیمی‌ترها

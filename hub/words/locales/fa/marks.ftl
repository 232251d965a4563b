# What is recorded of a student in a lesson: on the roll, in reports, on a person's page.
roll-present = حاضر
roll-late = تأخیر
roll-absent = غایب
roll-excused = موجه
roll-unverified = تأییدنشده: هیچ ورودی‌ای نمی‌توانست بگوید
roll-undecided = بی‌تصمیم: کسی به‌موقع بررسی نکرد
roll-nothing = هنوز چیزی ثبت نشده
roll-count-present = { $count } حاضر
roll-count-late = { $count } با تأخیر
roll-count-absent = { $count } غایب
roll-count-excused = { $count } موجه
roll-count-unverified = { $count } تأییدنشده
roll-count-undecided = { $count } بی‌تصمیم
roll-count-nothing = { $count } باز

report-present = حاضر
report-late = تأخیر
report-absent = غایب
report-excused = موجه
report-unverified = تأییدنشده: ورودی زیر نظر نبود
report-undecided = بی‌تصمیم
report-letter-present = ح
report-letter-late = ت
report-letter-absent = غ
report-letter-excused = م
report-letter-unverified = ؟
report-letter-undecided = …

people-mark-present = حاضر
people-mark-late = با تأخیر
people-mark-absent = غایب
people-mark-excused = موجه
people-mark-unverified = تأییدنشده
people-mark-undecided = تصمیم‌گیری‌نشده

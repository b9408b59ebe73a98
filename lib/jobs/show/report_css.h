/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * report_css.h - report.css as a text, which the Makefile makes of the file. */
#ifndef AP_JOBS_SHOW_REPORT_CSS_H
#define AP_JOBS_SHOW_REPORT_CSS_H

extern const char ap_report_css[];

#endif

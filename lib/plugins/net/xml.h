/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * xml.h - the little XML that object stores answer with: elements without attributes that matter, text with
 * entities. It is scanned, not parsed: no document type, no external entity is ever looked at. */
#ifndef AP_NET_XML_H
#define AP_NET_XML_H

#include <stdbool.h>
#include <stddef.h>

/* A stretch of a document. */
typedef struct ap_xml {
    const char *text;
    size_t size;
} ap_xml;

/* The content of the next element of that name in *rest, which then begins after it. false: there is none. */
bool ap_xml_next(ap_xml *rest, const char *name, ap_xml *content);
/* The malloc'ed text of the first element of that name, entities decoded; NULL if there is none, or out of
 * memory. */
char *ap_xml_text(ap_xml in, const char *name);
/* Text with & < > " ' as entities; malloc'ed. */
char *ap_xml_escape(const char *text);

#endif

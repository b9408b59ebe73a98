/* SPDX-License-Identifier: GPL-3.0-or-later
 * chan.c - Apple's AudioChannelLayout (Core Audio Format specification, "Channel Layout Chunk"; the numbers
 * are those of CoreAudioBaseTypes.h). libsndfile 1.2.0 has SFC_GET_CHANNEL_MAP_INFO for it, but reads past
 * the end of its map when the chunk does not fit, and leaves the channels in the order of the file. */
#include "formats/chan.h"
#include "base/bytes.h"

#include <string.h>

#define MAX_CHUNKS 10000
enum {
    USE_DESCRIPTIONS = 0,
    USE_BITMAP = 1,
    AMBISONIC_B = 107,
    DISCRETE = 147,
    HOA_FIRST = 190,
    HOA_LAST = 191
};
enum {
    LEFT_SURROUND = 5,
    RIGHT_SURROUND = 6,
    LAST = 18,
    REAR_LEFT = 33,
    REAR_RIGHT = 34,
    MONO = 42
}; /* labels */

/* Letters for labels: L R C, f = LFE, s S = surround left and right, c = centre surround, b B = rear
 * surround, w W = left and right of the centre. */
static const struct {
    unsigned tag; /* the upper half; the lower is the number of channels */
    const char *order;
} layouts[] = {
    {100, "C"},        {101, "LR"},       {102, "LR"},       {108, "LRsS"},     {109, "LRsSC"},
    {110, "LRsSCc"},   {111, "LRbBCcsS"}, {113, "LRC"},      {114, "CLR"},      {115, "LRCc"},
    {116, "CLRc"},     {117, "LRCsS"},    {118, "LRsSC"},    {119, "LCRsS"},    {120, "CLRsS"},
    {121, "LRCfsS"},   {122, "LRsSCf"},   {123, "LCRsSf"},   {124, "CLRsSf"},   {125, "LRCfsSc"},
    {126, "LRCfsSwW"}, {127, "CwWLRsSf"}, {128, "LRCfsSbB"}, {129, "LRsSCfwW"}, {131, "LRc"},
    {132, "LRsS"},     {133, "LRf"},      {134, "LRfc"},     {135, "LRfsS"},    {136, "LRCf"},
    {137, "LRCfc"},    {138, "LRsSf"},    {139, "LRsSCc"},   {140, "LRsSCbB"},  {141, "CLRsSc"},
    {142, "CLRsScf"},  {143, "CLRsSbB"},  {144, "CLRsSbBc"}, {148, "LRsSCwW"},  {149, "Cf"},
    {150, "LCR"},      {151, "LCRc"},     {152, "LCRf"},     {153, "LRcf"},     {154, "LCRcf"},
};

/* The bit of a label; with rear surrounds beside them, surrounds are at the sides. 0: it is no speaker. */
static uint32_t speaker_of_letter(char letter, bool rear)
{
    static const char letters[] = "LRCfsSwWc";
    const char *at = strchr(letters, letter);
    if (letter == 'b' || letter == 'B')
        return letter == 'b' ? AP_BACK_LEFT : AP_BACK_RIGHT;
    if (rear && (letter == 's' || letter == 'S'))
        return letter == 's' ? AP_SIDE_LEFT : AP_SIDE_RIGHT;
    return at && *at ? UINT32_C(1) << (at - letters) : 0;
}

/* Labels 1 to 18 are numbered as the bits of WAVEFORMATEXTENSIBLE. */
static uint32_t speaker_of_label(uint32_t label, bool rear)
{
    if (label == LEFT_SURROUND || label == RIGHT_SURROUND)
        return speaker_of_letter(label == LEFT_SURROUND ? 's' : 'S', rear);
    if (label == REAR_LEFT || label == REAR_RIGHT)
        return label == REAR_LEFT ? AP_BACK_LEFT : AP_BACK_RIGHT;
    if (label == MONO)
        return AP_FRONT_CENTER;
    return label >= 1 && label <= LAST ? UINT32_C(1) << (label - 1) : 0;
}

/* The speakers of the channels, in their order. Channels without one, or two with the same, are discrete. */
static void use_speakers(const uint32_t *speakers, uint32_t channels, ap_chan *chan)
{
    uint32_t mask = 0;
    for (uint32_t c = 0; c < channels; c++) {
        if (speakers[c] == 0 || (mask & speakers[c])) {
            chan->mask = AP_DISCRETE;
            return;
        }
        mask |= speakers[c];
    }
    chan->mask = mask;
    for (uint32_t c = 0; c < channels; c++) {
        chan->place[c] = (unsigned char)__builtin_popcount(mask & (speakers[c] - 1));
        chan->reorder = chan->reorder || chan->place[c] != c;
    }
}

static void use_letters(const char *order, uint32_t channels, ap_chan *chan)
{
    uint32_t speakers[AP_MAX_CHANNELS];
    for (uint32_t c = 0; c < channels; c++)
        speakers[c] = speaker_of_letter(order[c], strchr(order, 'b'));
    use_speakers(speakers, channels, chan);
}

static void use_descriptions(const unsigned char *bytes, uint32_t channels, ap_chan *chan)
{
    uint32_t speakers[AP_MAX_CHANNELS];
    bool rear = false;
    for (uint32_t c = 0; c < channels; c++)
        rear = rear || ap_get_big(bytes + 12 + 20 * c, 4) == REAR_LEFT;
    for (uint32_t c = 0; c < channels; c++)
        speakers[c] = speaker_of_label((uint32_t)ap_get_big(bytes + 12 + 20 * c, 4), rear);
    use_speakers(speakers, channels, chan);
}

void ap_chan_parse(const unsigned char *bytes, size_t size, uint32_t channels, ap_chan *chan)
{
    *chan = (ap_chan){0};
    if (size < 12 || channels > AP_MAX_CHANNELS)
        return;
    uint32_t whole = (uint32_t)ap_get_big(bytes, 4), tag = whole >> 16;
    uint32_t bitmap = (uint32_t)ap_get_big(bytes + 4, 4), count = (uint32_t)ap_get_big(bytes + 8, 4);
    if (tag == USE_BITMAP && (uint32_t)__builtin_popcount(bitmap) == channels)
        chan->mask = bitmap;
    else if (whole == USE_DESCRIPTIONS && count == channels && (size - 12) / 20 >= channels)
        use_descriptions(bytes, channels, chan);
    if (tag < 2 || (whole & 0xffff) != channels)
        return;
    if (tag == DISCRETE || tag == AMBISONIC_B || (tag >= HOA_FIRST && tag <= HOA_LAST))
        chan->mask = AP_DISCRETE;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (layouts[i].tag == tag && strlen(layouts[i].order) == channels)
            use_letters(layouts[i].order, channels, chan);
}

size_t ap_chan_load(ap_input *in, unsigned char body[AP_CHAN_SIZE])
{
    uint64_t start = ap_input_tell(in);
    unsigned char h[12];
    size_t found = 0;
    bool caf = ap_input_read(in, h, 12, NULL) == 12 && memcmp(h, "caff", 4) == 0;
    size_t header = caf ? 12 : 8;
    bool ok = (caf || memcmp(h, "FORM", 4) == 0) && ap_input_seek(in, start + (caf ? 8 : 12), NULL);
    for (int i = 0; ok && !found && i < MAX_CHUNKS; i++) {
        if (ap_input_read(in, h, header, NULL) != (ptrdiff_t)header)
            break;
        uint64_t size = ap_get_big(h + 4, header - 4), at = ap_input_tell(in);
        if (memcmp(h, caf ? "chan" : "CHAN", 4) == 0) {
            ptrdiff_t n = ap_input_read(in, body, size < AP_CHAN_SIZE ? (size_t)size : AP_CHAN_SIZE, NULL);
            found = n > 0 ? (size_t)n : 0;
        }
        size += caf ? 0 : size & 1;
        ok = size <= ap_input_left(in) && ap_input_seek(in, at + size, NULL);
    }
    return ap_input_seek(in, start, NULL) ? found : 0;
}

void ap_chan_reorder(const ap_chan *chan, float *frames, size_t count, uint32_t channels)
{
    float frame[AP_MAX_CHANNELS];
    for (size_t i = 0; chan->reorder && i < count; i++, frames += channels) {
        memcpy(frame, frames, channels * sizeof *frame);
        for (uint32_t c = 0; c < channels; c++)
            frames[chan->place[c]] = frame[c];
    }
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long word(const unsigned char *p)
{
    return (unsigned long)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

int main(void)
{
    unsigned char header[24], frame[8], swapped[8];
    if (fread(header, 1, 24, stdin) != 24)
        return 1;
    if (memcmp(header, ".snd", 4) != 0)
        return 1;
    if (word(header + 12) != 6 || word(header + 20) != 2) {
        fprintf(stderr, "swap: not a stereo apstream\n");
        return 1;
    }
    fwrite(header, 1, 24, stdout);
    unsigned long left = word(header + 4) - 24;
    for (; left > 0; left--) {
        int c = getchar();
        if (c == EOF)
            return 1;
        putchar(c);
    }
    while (fread(frame, 1, 8, stdin) == 8) {
        memcpy(swapped, frame + 4, 4);
        memcpy(swapped + 4, frame, 4);
        fwrite(swapped, 1, 8, stdout);
    }
    return ferror(stdin) || fflush(stdout) || ferror(stdout);
}
